package paddle

import "errors"

// What opening a file may allocate, whatever its bytes say, is less than 16 times its size and 1 MiB; of a compressed file, the
// size is that of both forms. Values of pickles, tensors and names are paid for before they come into being, from a budget that
// every file adds to.
const (
	budgetBase     = 768 << 10
	fileFactor     = 14 // bytes for each byte of a file
	unpackedFactor = 8  // of a member of an archive, which is in memory itself

	tensorCost = 340 // bytes for a tensor in lists that double
	nameCost   = 256 // for an entry of a map, and of another made from it
)

// charge takes n bytes from the budget.
func (w *Weights) charge(n int64) error {
	if w.budget -= n; w.budget < 0 {
		return errors.New("it names more tensors than a file of its size has room for: save each under one name")
	}
	return nil
}
