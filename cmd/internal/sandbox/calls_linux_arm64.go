package sandbox

import "golang.org/x/sys/unix"

// auditArch is what the kernel calls the processor. Calls for 32 bits go by another name.
const auditArch = unix.AUDIT_ARCH_AARCH64

// Calls that this processor never had.
var oldGoCalls, oldCCalls, oldStartingCalls []uint32
