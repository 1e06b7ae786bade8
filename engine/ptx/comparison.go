package ptx

import "unsafe"

func set1(c bool) uint32 {
	if c {
		return 1
	}
	return 0
}

// A comparison gives a bit for each lane.
type comparison func(a, b unsafe.Pointer) uint32

type number interface {
	~int32 | ~uint32 | ~int64 | ~uint64 | ~float32 | ~float64
}

func eqLanes[T number](a, b unsafe.Pointer) (m uint32) {
	x, y := of[T](a), of[T](b)
	for i := range x {
		m |= set1(x[i] == y[i]) << i
	}
	return m
}

func ltLanes[T number](a, b unsafe.Pointer) (m uint32) {
	x, y := of[T](a), of[T](b)
	for i := range x {
		m |= set1(x[i] < y[i]) << i
	}
	return m
}

func leLanes[T number](a, b unsafe.Pointer) (m uint32) {
	x, y := of[T](a), of[T](b)
	for i := range x {
		m |= set1(x[i] <= y[i]) << i
	}
	return m
}

func nanLanes[T float32 | float64](a, b unsafe.Pointer) (m uint32) {
	x, y := of[T](a), of[T](b)
	for i := range x {
		m |= set1(x[i] != x[i] || y[i] != y[i]) << i
	}
	return m
}
