"""Will this machine restart, by its assessment first; does it get hotpatches, what takes it off their track, and what brings it back?"""
