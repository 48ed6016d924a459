"""Which units draw what is wrong?"""
