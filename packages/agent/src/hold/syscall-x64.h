/* The kernel's interface on x86-64: entry point, one system call, and the numbers of those that hold makes. */

__asm__(
  ".globl _start\n"
  "_start:\n"
  "  xor %ebp, %ebp\n"
  "  mov %rsp, %rdi\n"
  "  and $-16, %rsp\n"
  "  call hold\n");

enum {
  SYS_read = 0,
  SYS_write = 1,
  SYS_close = 3,
  SYS_mmap = 9,
  SYS_rt_sigaction = 13,
  SYS_rt_sigprocmask = 14,
  SYS_clone = 56,
  SYS_execve = 59,
  SYS_wait4 = 61,
  SYS_kill = 62,
  SYS_setsid = 112,
  SYS_rt_sigtimedwait = 128,
  SYS_prctl = 157,
  SYS_exit_group = 231,
  SYS_openat = 257,
  SYS_ppoll = 271,
  SYS_dup3 = 292,
};

static inline long system_call(long number, long a, long b, long c, long d, long e, long f)
{
  register long fourth __asm__("r10") = d;
  register long fifth __asm__("r8") = e;
  register long sixth __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth)
                   : "rcx", "r11", "memory");
  return result;
}
