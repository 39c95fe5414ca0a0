"""A web page that reads digits. Start reading at views.py."""
