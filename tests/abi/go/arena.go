package sabir

// #include <sabir/sabir.h>
import "C"

import (
	"runtime"
	"unsafe"
)

// arena holds what a call lends to C: memory of Go that stays where it is until free.
type arena struct{ pins runtime.Pinner }

func (a *arena) free() { a.pins.Unpin() }

func lend[T any](a *arena, items []T) *T {
	if len(items) == 0 {
		return nil
	}
	a.pins.Pin(&items[0])
	return &items[0]
}

func (a *arena) bytes(data []byte) C.sabir_span {
	return C.sabir_span{data: unsafe.Pointer(lend(a, data)), size: C.size_t(len(data))}
}

func (a *arena) text(text string) C.sabir_string {
	return C.sabir_string{data: (*C.char)(unsafe.Pointer(lend(a, []byte(text)))), size: C.size_t(len(text))}
}

func text(raw C.sabir_string) string { return C.GoStringN(raw.data, C.int(raw.size)) }

func (a *arena) value(value any) C.sabir_value {
	var w writer
	w.value(value)
	return C.sabir_value{encoding: C.SABIR_NEUTRAL, variant: C.SABIR_NEUTRAL_PLAIN, part_count: 1,
		parts: lend(a, []C.sabir_span{a.bytes(w.out)}), refs: lend(a, w.refs), ref_count: C.size_t(len(w.refs))}
}

// Named is an argument for a parameter by its name, as Python has them. Such arguments come last.
type Named struct {
	Name  string
	Value any
}

func (a *arena) args(args []any) *C.sabir_arg {
	raw := make([]C.sabir_arg, len(args))
	for i, arg := range args {
		if named, ok := arg.(Named); ok {
			raw[i].name, arg = a.text(named.Name), named.Value
		}
		if ref, ok := arg.(*Ref); ok {
			raw[i].ref = ref.raw
		} else {
			raw[i].value = a.value(arg)
		}
	}
	return lend(a, raw)
}

func (a *arena) words(words []string) *C.sabir_string {
	raw := make([]C.sabir_string, len(words))
	for i, word := range words {
		raw[i] = a.text(word)
	}
	return lend(a, raw)
}
