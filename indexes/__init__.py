"""How it is found: embedding, FAISS, BM25, classifiers, snapshots. Imports knowledge only."""
