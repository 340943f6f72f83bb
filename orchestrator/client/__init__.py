"""How is a daemon elsewhere asked, so that it answers as the journal of this machine would?"""
