package ptx

import (
	"fmt"
	"strings"
)

// convert decodes cvt.
func (d *decoder) convert(s *statement, in *instruction) error {
	c := &conversion{}
	if len(s.parts) < 3 {
		return errSubset
	}
	c.to, c.from = s.parts[len(s.parts)-2], s.parts[len(s.parts)-1]
	for _, p := range s.parts[1 : len(s.parts)-2] {
		switch p {
		case "rn", "rz", "rm", "rp", "rni", "rzi", "rmi", "rpi":
			c.rounding = p
		case "sat":
			c.saturate = true
		default:
			return errSubset
		}
	}
	toBits, ok := typeBits(c.to)
	fromBits, also := typeBits(c.from)
	if !ok || !also || c.to[0] == 'b' || c.from[0] == 'b' || toBits == 1 || fromBits == 1 {
		return errSubset
	}
	if err := c.checkRounding(toBits, fromBits); err != nil {
		return err
	}
	if err := count(s, 2); err != nil {
		return err
	}
	dst, src := &s.args[0], &s.args[1]
	// Registers may be wider than integer types.
	dstBits, srcBits := toBits, fromBits
	if dst.kind == operandRegister && c.to[0] != 'f' {
		dstBits = max(d.kernel.regs[dst.reg].bits, toBits)
	}
	if src.kind == operandRegister && c.from[0] != 'f' {
		srcBits = max(d.kernel.regs[src.reg].bits, fromBits)
	}
	srcBits = max(srcBits, 16)
	c.wideIn, c.wideOut, c.shortOut, c.fromFloat = srcBits == 64, dstBits == 64, dstBits == 16, c.from[0] == 'f'
	in.kind, in.wide = kindALU, c.wideOut
	if dstBits == toBits && srcBits == fromBits {
		in.alu = fastConversion(s.op)
	}
	if in.alu == nil {
		in.alu = c.lanes()
	}
	var err error
	if in.d, err = d.destination(dst, dstBits); err != nil {
		return err
	}
	in.a, err = d.source(src, srcBits)
	return err
}

// checkRounding holds a conversion to the roundings that it may and must have.
func (c *conversion) checkRounding(toBits, fromBits int) error {
	toFloat, fromFloat := c.to[0] == 'f', c.from[0] == 'f'
	need, whole := false, strings.HasSuffix(c.rounding, "i")
	switch {
	case toFloat && fromFloat && toBits < fromBits, toFloat && !fromFloat:
		need = true
		if whole {
			return errSubset
		}
	case fromFloat && !toFloat:
		need = true
		if !whole {
			return errSubset
		}
	case toFloat && fromFloat && toBits > fromBits && c.rounding != "":
		return errSubset
	case toFloat && fromFloat && c.rounding != "" && !whole:
		return errSubset
	case !toFloat && !fromFloat && c.rounding != "":
		return errSubset
	}
	if need && c.rounding == "" {
		return fmt.Errorf("a rounding is missing")
	}
	return nil
}
