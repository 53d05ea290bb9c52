"""The simulated phones as a web page on loopback: customers, the shop's phone, and the bot between them."""
