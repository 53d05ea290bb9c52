"""Stand-ins for the services outside the project, for the demo, the tests and the benchmarks.

Each subpackage is a small loopback server that speaks one provider's protocol well enough for the provider's
own client library. The product never imports this folder: it is pointed at a stand-in by its ordinary base
address, so what runs in a demo or a test is the production code path. Nothing here knows a particular shop.
"""
