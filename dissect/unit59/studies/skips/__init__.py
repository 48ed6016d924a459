"""Do layers that a skip connection joins share units?"""
