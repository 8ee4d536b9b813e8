//go:build unix

package hook

import (
	"os/exec"
	"syscall"
)

// together makes the command the first of a group of processes that ends with it.
func together(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
