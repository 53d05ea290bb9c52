"""WhatsApp on loopback: a multi-device server and simulated phones, for the real neonize library.

`server` holds ``WhatsAppServer``, what tests, demo and benchmarks use; `launch` starts a program whose
neonize talks to it. Pure protocol: `framing`, `noise`, `certificate`, `binary`, `adv`, `linking`, `signal`.
The server's state and rules: `network`, `companion`, `queries`, `pairing`. People: `phone`, `customer`,
`owner`. The socket: `connection`.
"""
