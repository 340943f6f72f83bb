"""What does a source say of the machines, at one moment?"""
