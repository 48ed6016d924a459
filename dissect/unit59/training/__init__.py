"""Training: Progressive GAN, StyleGAN and pix2pix, with the network classes that load published files."""
