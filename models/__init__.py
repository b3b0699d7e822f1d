"""One TOML file for each model of the catalogue; read by `paper2code_local.modelstore.card`."""
