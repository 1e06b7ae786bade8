package ops

import (
	"avcu/engine"
	"avcu/kernels/adam"
	"avcu/kernels/gather"
	"avcu/kernels/norm"
	"avcu/kernels/product"
)

// Activation is what a linear layer's result goes through.
type Activation = product.Activation

const (
	Identity = product.Identity
	Tanh     = product.Tanh
	ReLU     = product.ReLU
)

// Window is the window of a convolution.
type Window = gather.Window

// Rate is Adam's bias-corrected learning rate of step t ≥ 1.
func Rate(lr, beta1, beta2 float64, t int) float64 { return adam.Rate(lr, beta1, beta2, t) }

// Update makes a step of Adam over a block of parameters; see adam.Update.
func Update(d engine.Device, w, g engine.Tensor, s *engine.Step, scale engine.Tensor) error {
	return adam.Update(d, w, g, s, scale)
}

// Norm computes the norm of gradients and the factor that limits it to clip; see norm.Run.
func Norm(d engine.Device, g, out engine.Tensor, clip float64) error {
	return norm.Run(d, g, out, clip)
}
