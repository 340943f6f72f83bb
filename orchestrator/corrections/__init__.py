"""What do people know better than this program? Months of Microsoft's releases that came, or turned out otherwise, as a file."""
