// Package bench measures the project as a whole, and holds the table of what may import what.
//
//	go test -run '^$' -bench . ./bench | tee new
//	benchstat -col /device new
//
// times every kernel on every device, forward and backward, at the published shape, at Flash-MNIST's and at awkward ones,
// and whole steps. Beside the time of a call stand its operations and bytes a second, and %limit: the time that the machine
// would need at the peak measured in the same run (bench/peak), as a part of the time it took. -cpu 1 is one thread.
package bench
