"""What would an experienced colleague say of these policies before they are merged?"""
