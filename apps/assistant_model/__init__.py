"""The bundled assistant model: generated data, vocabulary, training, export and evaluation."""
