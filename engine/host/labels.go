package host

import (
	"fmt"

	"avcu/engine"
)

// CheckLabels verifies sparse labels in host memory before a kernel follows them: offsets int32
// [rows+1] rise from 0, and each label names one of so many classes.
func CheckLabels(kernel string, offsets, labels engine.Tensor, rows, classes int) error {
	if err := offsets.Check(kernel, "offsets", engine.Int32, rows+1); err != nil {
		return err
	}
	if err := labels.Check(kernel, "labels", engine.Int32, -1); err != nil {
		return err
	}
	o, l := Slice[int32](offsets), Slice[int32](labels)
	for r := range rows {
		if o[r] < 0 || o[r+1] < o[r] || int(o[r+1]) > len(l) {
			return fmt.Errorf("%s: row %d has labels %d to %d of %d", kernel, r, o[r], o[r+1], len(l))
		}
		for _, k := range l[o[r]:o[r+1]] {
			if k < 0 || int(k) >= classes {
				return fmt.Errorf("%s: row %d has label %d, and there are %d classes", kernel, r, k, classes)
			}
		}
	}
	return nil
}
