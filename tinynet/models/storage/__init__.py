"""What model files hold, from models and onto them."""
