"""Do the outlines that were asked for stay when units go silent?"""
