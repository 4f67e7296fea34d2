/* What hold uses of the Linux kernel, without any library's headers: the architecture's entry point and system calls, and constants. */

#if defined(__x86_64__)
#include "syscall-x64.h"
#elif defined(__aarch64__)
#include "syscall-arm64.h"
#else
#error "hold knows x86-64 and AArch64"
#endif

/* A system call with as many arguments as it takes; negative results are -errno. */
#define call(...) call_padded(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define call_padded(number, a, b, c, d, e, f, ...) \
  system_call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

enum { STDIN = 0, STDOUT = 1, STDERR = 2 };

enum {
  ENOENT = 2,
  EINTR = 4,
  E2BIG = 7,
  ENOEXEC = 8,
  EAGAIN = 11,
  ENOMEM = 12,
  EACCES = 13,
  ENODEV = 19,
  ENOTDIR = 20,
  ETIMEDOUT = 110,
  ESTALE = 116,
};

enum { AT_FDCWD = -100, O_RDONLY = 0 };
enum { POLLIN = 1, POLLOUT = 4 };
enum { PROT_READ_WRITE = 1 | 2, MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_ANONYMOUS = 32 };
enum { SIGCHLD = 17, SIGCONT = 18, LAST_SIGNAL = 64, SIG_SETMASK = 2, SA_RESTORER = 0x04000000 };
enum { WNOHANG = 1, PR_SET_DUMPABLE = 4 };
