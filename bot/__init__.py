"""The WhatsApp process: channels, intake, conversation, delivery, handoff, the owner's room."""
