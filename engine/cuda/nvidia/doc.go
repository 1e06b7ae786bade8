// Package nvidia is the seam cuda.Driver on NVIDIA's driver, through gorgonia.org/cu, which no other
// package imports: its init ends the program where there is no driver. It is built with the tag cuda.
package nvidia
