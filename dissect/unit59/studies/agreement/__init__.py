"""Does agreement with a concept predict control over it?"""
