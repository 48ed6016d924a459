"""Does the picture grow noisier as units go silent?"""
