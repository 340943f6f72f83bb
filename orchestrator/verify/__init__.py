"""Does a plan, or what became of it, keep the rules? The witness's judge, who shares nothing with what it judges."""
