"""How a reply is made: understand → retrieve → rank → draft, the HTTP service, evaluation. Imports indexes and knowledge."""
