"""The verbs, numbered because their order is the meaning. Stages never import each other: `pipeline` hands one to the next."""
