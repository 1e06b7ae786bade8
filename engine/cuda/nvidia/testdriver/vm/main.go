// Command vm runs the launches of the test driver (../libcuda.c) on the PTX virtual machine. Device
// memory is file 3, which both map; messages come and go through file 4, a socket: a head of two
// numbers, what and the length, and that many bytes. An answer's what is a CUresult, and its bytes the
// result or, for an error, text.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"avcu/engine/cuda"
	"avcu/engine/ptx"
)

// Messages, and errors, as in libcuda.c.
const (
	alloc = iota + 1
	free
	fill
	load
	unload
	function
	attributes
	launch
	wrote
	read
	memory

	outOfMemory    = 2
	invalidPTX     = 218
	notFound       = 500
	illegalAddress = 700
)

func main() {
	if err := serve(os.NewFile(3, "memory"), os.NewFile(4, "socket")); err != nil {
		fmt.Fprintln(os.Stderr, "test driver:", err)
		os.Exit(1)
	}
}

func serve(file, socket *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	mapping, err := syscall.Mmap(int(file.Fd()), 0, int(info.Size()), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return err
	}
	m := &machine{drv: ptx.NewDriver(ptx.Options{Memory: mapping, Bytes: info.Size()}), memory: mapping, parameters: map[uint64]map[string]int{}}
	if err := m.drv.Open(0); err != nil {
		return err
	}
	if err := binary.Write(socket, binary.NativeEndian, uint64(ptx.Base)); err != nil {
		return err
	}
	for in := bufio.NewReader(socket); ; {
		var head struct{ What, Bytes uint32 }
		if err := binary.Read(in, binary.NativeEndian, &head); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		body := make([]byte, head.Bytes)
		if _, err := io.ReadFull(in, body); err != nil {
			return err
		}
		code, answer := m.do(head.What, body)
		out := binary.NativeEndian.AppendUint32(nil, code)
		out = append(binary.NativeEndian.AppendUint32(out, uint32(len(answer))), answer...)
		if _, err := socket.Write(out); err != nil {
			return err
		}
	}
}

type machine struct {
	drv        *ptx.Driver
	memory     []byte
	parameters map[uint64]map[string]int // of each module's kernels
}

// do answers one message.
func (m *machine) do(what uint32, body []byte) (code uint32, answer []byte) {
	words, err := m.call(what, body)
	if err == nil {
		for _, w := range words {
			answer = binary.NativeEndian.AppendUint64(answer, w)
		}
		return 0, answer
	}
	switch {
	case errors.Is(err, cuda.ErrOutOfMemory):
		code = outOfMemory
	case what == load:
		code = invalidPTX
	case what == function:
		code = notFound
	default:
		code = illegalAddress
	}
	return code, []byte(err.Error())
}

func (m *machine) call(what uint32, body []byte) ([]uint64, error) {
	if what == load {
		return m.load(string(body))
	}
	w := make([]uint64, len(body)/8+3) // what a message lacks is 0
	for i := range len(body) / 8 {
		w[i] = binary.NativeEndian.Uint64(body[8*i:])
	}
	switch what {
	case alloc:
		addr, err := m.drv.Alloc(int64(w[0]))
		return []uint64{addr}, err
	case free:
		return nil, m.drv.Free(w[0])
	case fill:
		return nil, m.drv.Fill(w[0], byte(w[1]), int64(w[2]), 0)
	case unload:
		return nil, m.drv.Unload(cuda.Module(w[0]))
	case function:
		name := string(body[8:])
		f, err := m.drv.Function(cuda.Module(w[0]), name)
		return []uint64{uint64(f), uint64(m.parameters[w[0]][name])}, err
	case attributes:
		a, err := m.drv.Attributes(cuda.Function(w[0]))
		return []uint64{uint64(a.Registers), uint64(a.SharedBytes), uint64(a.LocalBytes), uint64(a.MaxThreads)}, err
	case launch:
		n := len(body)/8 - 8
		grid, block := [3]int{int(w[1]), int(w[2]), int(w[3])}, [3]int{int(w[4]), int(w[5]), int(w[6])}
		return nil, errors.Join(m.drv.Launch(cuda.Function(w[0]), grid, block, int(w[7]), 0, w[8:8+n]), m.drv.Sync())
	case wrote: // the bytes are in place; this notes that they are
		from := w[0] - ptx.Base
		return nil, m.drv.CopyIn(w[0], m.memory[from:from+w[1]])
	case read:
		return nil, m.drv.CopyOut(make([]byte, w[1]), w[0])
	case memory:
		left, total, err := m.drv.MemInfo()
		return []uint64{uint64(left), uint64(total)}, err
	}
	return nil, fmt.Errorf("message %d is none", what)
}

func (m *machine) load(text string) ([]uint64, error) {
	parsed, err := ptx.Parse("module", text)
	if err != nil {
		return nil, err
	}
	handle, err := m.drv.Load(text)
	m.parameters[uint64(handle)] = parsed.Parameters()
	return []uint64{uint64(handle)}, err
}
