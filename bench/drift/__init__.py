"""How much drift `lockaudit check` finds: clean pairs, mutated at random in ways that are harmful or harmless."""
