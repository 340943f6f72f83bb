"""Will this machine restart? What its assessment says of the updates that it would get."""
