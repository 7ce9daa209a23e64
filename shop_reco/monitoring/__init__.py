"""What whoever runs the shop asks of it: does it live, can it serve, how does it go."""
