"""What are the rules, who wrote them, and what is to change?"""
