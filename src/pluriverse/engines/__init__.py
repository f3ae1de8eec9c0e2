"""What computes: the local llama.cpp engine, the scripted engine, later remote endpoints. One contract for all."""
