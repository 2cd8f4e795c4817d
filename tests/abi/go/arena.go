package sabir

// #include <sabir/sabir.h>
// #include <stdlib.h>
import "C"
import "unsafe"

// arena holds what a call lends to C, which must not see pointers into Go's memory within other memory.
type arena []unsafe.Pointer

func (a *arena) alloc(count int, size uintptr) unsafe.Pointer {
	block := C.calloc(C.size_t(count)+1, C.size_t(size))
	*a = append(*a, block)
	return block
}

func (a *arena) free() {
	for _, block := range *a {
		C.free(block)
	}
}

func (a *arena) bytes(data []byte) C.sabir_span {
	block := a.alloc(len(data), 1)
	copy(unsafe.Slice((*byte)(block), len(data)), data)
	return C.sabir_span{data: block, size: C.size_t(len(data))}
}

func (a *arena) text(text string) C.sabir_string {
	span := a.bytes([]byte(text))
	return C.sabir_string{data: (*C.char)(span.data), size: span.size}
}

func text(raw C.sabir_string) string { return C.GoStringN(raw.data, C.int(raw.size)) }

func (a *arena) value(value any) C.sabir_value {
	var w writer
	w.value(value)
	part := (*C.sabir_span)(a.alloc(1, C.sizeof_sabir_span))
	*part = a.bytes(w.out)
	refs := (**C.sabir_ref)(a.alloc(len(w.refs), unsafe.Sizeof(part)))
	for i, ref := range w.refs {
		unsafe.Slice(refs, len(w.refs))[i] = ref.raw
	}
	return C.sabir_value{encoding: C.SABIR_NEUTRAL, variant: 1, part_count: 1, parts: part, refs: refs, ref_count: C.size_t(len(w.refs))}
}

// Named is an argument for a parameter by its name, as Python has them. Such arguments come last.
type Named struct {
	Name  string
	Value any
}

func (a *arena) args(args []any) *C.sabir_arg {
	first := (*C.sabir_arg)(a.alloc(len(args), C.sizeof_sabir_arg))
	for i, arg := range args {
		raw := &unsafe.Slice(first, len(args))[i]
		if named, ok := arg.(Named); ok {
			raw.name, arg = a.text(named.Name), named.Value
		}
		if ref, ok := arg.(*Ref); ok {
			raw.ref = ref.raw
		} else {
			raw.value = a.value(arg)
		}
	}
	return first
}

func (a *arena) words(words []string) *C.sabir_string {
	first := (*C.sabir_string)(a.alloc(len(words), C.sizeof_sabir_string))
	for i, word := range words {
		unsafe.Slice(first, len(words))[i] = a.text(word)
	}
	return first
}
