"""What every single unit does, switched off and on."""
