"""The native engine alone: its products (products.cpp), and an encoder by phases (encoder.cpp)."""
