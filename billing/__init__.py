"""What is sold and how it is paid: catalogue, rupiah amounts and, later, checkout and payments."""
