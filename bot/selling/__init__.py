"""Selling in the chat: menu, read-back, *ya*, what must be asked, shipping, and the way to pay.

Codes, quantities and words come from people and the model; what they cost and what they mean is code's affair
(``billing``). Everything that a sale knows is in the database: a crash resumes where it was.
"""
