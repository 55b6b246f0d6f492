"""PostgreSQL: the framework's backend; statements are prepared and sent together, and whether a connection stands costs less to know."""
