"""Do units change objects, or textures?"""
