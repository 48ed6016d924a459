"""Recipes: what they may say, the YAML document with its line numbers, and what they open."""

from unit59.recipe.document import RecipeError
from unit59.recipe.sections import RecipeFile, read_recipe, recipe_of_text

__all__ = ["RecipeError", "RecipeFile", "read_recipe", "recipe_of_text"]
