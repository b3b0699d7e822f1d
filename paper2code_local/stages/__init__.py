"""The verbs, numbered because their order is the meaning. They never import each other: `pipeline` joins them."""
