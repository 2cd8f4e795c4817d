package sabir

// #include <sabir/sabir.h>
import "C"
import "fmt"

type Status int32

const (
	InvalidArgument = Status(C.SABIR_INVALID_ARGUMENT)
	NotFound        = Status(C.SABIR_NOT_FOUND)
	Timeout         = Status(C.SABIR_TIMEOUT)
	TaskFailed      = Status(C.SABIR_TASK_FAILED)
	ActorDied       = Status(C.SABIR_ACTOR_DIED)
)

// Error is what failed, here or in the code that was called: Type and Stack are those of its language.
type Error struct {
	Kind     Status
	Message  string
	Language Language
	Type     string
	Stack    string
	Cause    error
}

func (e *Error) Error() string {
	return fmt.Sprint(text(C.sabir_status_name(C.sabir_status(e.Kind))), ": ", e.Type, " ", e.Message)
}

func (e *Error) Unwrap() error { return e.Cause }

// recovered, deferred, makes an error of a value that cannot be written or read.
func recovered(err *error) {
	if why := recover(); why != nil {
		*err = &Error{Kind: InvalidArgument, Message: fmt.Sprint(why)}
	}
}

// call makes an error of what a function of the interface says. Signals, of which Go's scheduler sends some, do not end it.
func call(function func(**C.sabir_error) C.sabir_status) (err error) {
	defer recovered(&err)
	for {
		var failed *C.sabir_error
		status := function(&failed)
		if status == C.SABIR_OK {
			return nil
		}
		err = &Error{Kind: Status(status), Message: text(C.sabir_error_message(failed))}
		C.sabir_error_destroy(failed)
		if status != C.SABIR_INTERRUPTED {
			return err
		}
	}
}

// failureOf reads an error value: what failed, and beneath it what that came from. Nil: there is nothing so deep.
func failureOf(view *C.sabir_view, depth C.size_t) error {
	raw := C.sabir_failure{struct_size: C.sizeof_sabir_failure}
	switch status := C.sabir_failure_decode(view, depth, &raw, nil); status {
	case C.SABIR_OK:
		return &Error{Status(raw.kind), text(raw.message), Language(raw.language), text(raw._type), text(raw.stack), failureOf(view, depth+1)}
	case C.SABIR_NOT_FOUND:
		return nil
	default:
		return &Error{Kind: Status(status), Message: "the error cannot be read"}
	}
}
