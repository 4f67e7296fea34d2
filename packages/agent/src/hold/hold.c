/*
 * hold stands in front of an image's program until the agent asks it to begin. README.md says why, and what travels between the two.
 *
 *   hold become PROGRAM [ARGUMENT...]   waits on stdin for a start frame, then becomes the program
 *   hold run PROGRAM [ARGUMENT...]      the same, but stays as the program's parent and closes its output with a trailer
 *
 * It is the first process of its container: it must handle signals to be stoppable at all, and as a parent it reaps whatever is
 * orphaned. It needs nothing of the image: no libc, and no writable data of its own (all state is on the stack or mapped).
 */

#include "kernel.h"

typedef unsigned char byte;
typedef unsigned int u32; /* little-endian on the wire, as both architectures have it */
typedef unsigned long size;
typedef unsigned long signal_set; /* one bit for each of the kernel's 64 signals */

enum { NONCE_BYTES = 16, FRAME_BYTES_MAX = 1024 * 1024, PATH_BYTES_MAX = 4096 };
/* Exit codes as container engines use them: hold itself failed, the program cannot be executed, the program is not there. */
enum { HOLD_FAILED = 125, NOT_EXECUTABLE = 126, NOT_FOUND = 127 };

/* What an engine sets when the image says nothing. */
static const char DEFAULT_PATH[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static __attribute__((noreturn)) void leave(int code)
{
  for (;;) call(SYS_exit_group, code);
}

/* ---- Text ---- */

static size length_of(const char *text)
{
  size length = 0;
  while (text[length] != 0) length++;
  return length;
}

/* True when `text` begins with `start`. */
static int begins_with(const char *text, const char *start)
{
  while (*start != 0 && *text == *start) text++, start++;
  return *start == 0;
}

static int same(const char *a, const char *b)
{
  return begins_with(a, b) && begins_with(b, a);
}

static int contains(const char *text, char wanted)
{
  while (*text != 0 && *text != wanted) text++;
  return *text == wanted;
}

/* True when two `NAME=value` entries have the same name. */
static int same_name(const char *a, const char *b)
{
  while (*a == *b && *a != '=' && *a != 0) a++, b++;
  return *a == '=' && *b == '=';
}

/* One line for people on stderr, of the parts up to the first NULL; cut where it would be too long. */
static void print(const char *const *parts)
{
  char line[512];
  size length = 0;
  for (; *parts != 0; parts++) {
    for (const char *text = *parts; *text != 0 && length < sizeof line - 1; text++) line[length++] = *text;
  }
  line[length++] = '\n';
  call(SYS_write, STDERR, line, length);
}

static __attribute__((noreturn)) void fail(const char *message)
{
  print((const char *const[]){ "hold: ", message, 0 });
  leave(HOLD_FAILED);
}

/* ---- Bytes ---- */

/* Zeroed memory, for good. */
static void *allocate(size bytes, int sharing)
{
  long address = call(SYS_mmap, 0, bytes, PROT_READ_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
  if (address < 0 && address > -4096) fail("Out of memory");
  return (void *)address;
}

/*
 * Reads or writes all of `bytes`, in however many pieces: 1 when done, 0 when the input ended before, else -errno. The program may
 * have made a stream non-blocking that hold shares with it.
 */
static long transfer(long operation, int stream, void *bytes, size length)
{
  size done = 0;
  while (done < length) {
    long moved = call(operation, stream, (byte *)bytes + done, length - done);
    if (moved == 0) return 0;
    if (moved > 0) {
      done += moved;
    } else if (moved == -EAGAIN) {
      struct { int stream; short wanted, seen; } poll = { stream, operation == SYS_read ? POLLIN : POLLOUT, 0 };
      call(SYS_ppoll, &poll, 1, 0, 0, 0);
    } else if (moved != -EINTR) {
      return moved;
    }
  }
  return 1;
}

/* ---- Signals ---- */

static void set_signal_mask(signal_set blocked)
{
  call(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, 0, sizeof blocked);
}

/* Sets what every signal does, but for those that speak of children and of being resumed: these keep their default. */
static void on_signals(void (*handler)(int))
{
  for (int signal = 1; signal <= LAST_SIGNAL; signal++) {
    /* The kernel's own layout. x86-64 insists on a restorer; no handler of ours returns, so it is never used. */
    struct { void (*handler)(int); unsigned long flags; void (*restorer)(int); signal_set mask; } action = {
      signal == SIGCHLD || signal == SIGCONT ? 0 : handler, SA_RESTORER, leave, 0,
    };
    call(SYS_rt_sigaction, signal, &action, 0, sizeof action.mask);
  }
}

/* Whatever the image's stop signal is, a container that is only held stops at once. */
static void stop(int signal)
{
  leave(128 + signal);
}

/* ---- The start frame ---- */

struct frame {
  byte nonce[NONCE_BYTES];
  char *entries; /* `NAME=value`, each ended by NUL */
  size length;
};

/* Reads exactly so many bytes, never more: what follows the frame is the program's. */
static void receive(void *bytes, size length)
{
  long result = transfer(SYS_read, STDIN, bytes, length);
  if (result == 0) leave(0); /* The agent is gone, and nothing was begun. */
  if (result < 0) fail("Cannot read the start frame");
}

static void await_frame(struct frame *frame)
{
  u32 length;
  receive(&length, sizeof length);
  if (length < NONCE_BYTES || length > FRAME_BYTES_MAX) fail("Malformed start frame: its length is out of bounds");
  receive(frame->nonce, NONCE_BYTES);
  frame->length = length - NONCE_BYTES;
  frame->entries = allocate(length, MAP_PRIVATE);
  receive(frame->entries, frame->length);
  if (frame->length > 0 && frame->entries[frame->length - 1] != 0) fail("Malformed start frame: its last variable has no end");
  for (char *entry = frame->entries; entry < frame->entries + frame->length; entry += length_of(entry) + 1) {
    if (*entry == '=' || !contains(entry, '=')) fail("Malformed start frame: a variable has no name");
  }
}

/* The image's environment with the frame's over it. */
static char **merge_environment(char **own, const struct frame *frame)
{
  size count = 1;
  for (char **entry = own; *entry != 0; entry++) count++;
  for (size i = 0; i < frame->length; i++) count += frame->entries[i] == 0;
  char **merged = allocate(count * sizeof *merged, MAP_PRIVATE);
  for (size i = 0; own[i] != 0; i++) merged[i] = own[i];
  for (char *entry = frame->entries; entry < frame->entries + frame->length; entry += length_of(entry) + 1) {
    char **place = merged;
    while (*place != 0 && !same_name(*place, entry)) place++;
    *place = entry;
  }
  return merged;
}

/* ---- The program ---- */

/* Writes `folder/name`, or `name` alone for an empty folder, which means the working directory. False when it does not fit. */
static int join(char *path, const char *folder, size folder_length, const char *name)
{
  size name_length = length_of(name);
  if (folder_length + 1 + name_length + 1 > PATH_BYTES_MAX) return 0;
  for (size i = 0; i < folder_length; i++) *path++ = folder[i];
  if (folder_length > 0) *path++ = '/';
  for (size i = 0; i <= name_length; i++) *path++ = name[i];
  return 1;
}

/* Becomes the program, found as execvp finds it but never handed to a shell. Returns only on failure, with its errno. */
static int execute(char **arguments, char **environment)
{
  const char *name = arguments[0];
  if (*name == 0) return ENOENT;
  if (contains(name, '/')) return -call(SYS_execve, name, arguments, environment);
  const char *folder = DEFAULT_PATH;
  for (char **entry = environment; *entry != 0; entry++) {
    if (begins_with(*entry, "PATH=")) folder = *entry + 5;
  }
  int failure = ENOENT;
  for (;;) {
    char path[PATH_BYTES_MAX];
    size length = 0;
    while (folder[length] != 0 && folder[length] != ':') length++;
    int error = join(path, folder, length, name) ? -call(SYS_execve, path, arguments, environment) : ENOENT;
    if (error == EACCES) failure = EACCES;
    else if (error != ENOENT && error != ENOTDIR && error != ENODEV && error != ESTALE && error != ETIMEDOUT) return error;
    if (folder[length] == 0) return failure;
    folder += length + 1;
  }
}

/* Says on stderr why the program could not be started; returns the exit code for it. */
static int explain(const char *program, int error)
{
  const char *reason = "the kernel refused";
  if (error == ENOENT) reason = contains(program, '/') ? "no such file, or its interpreter is missing" : "not found in PATH";
  else if (error == EACCES) reason = "permission denied";
  else if (error == ENOEXEC) reason = "not an executable of this architecture";
  else if (error == E2BIG) reason = "arguments and environment are too long";
  else if (error == EAGAIN || error == ENOMEM) reason = "out of processes or memory";
  print((const char *const[]){ "hold: Cannot start \"", program, "\": ", reason, 0 });
  return error == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
}

static __attribute__((noreturn)) void become(char **arguments, char **environment)
{
  long nothing = call(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY, 0);
  if (nothing >= 0) {
    call(SYS_dup3, nothing, STDIN, 0);
    call(SYS_close, nothing);
  }
  leave(explain(arguments[0], execute(arguments, environment)));
}

/* ---- The program's parent ---- */

enum ending { EXITED = 0, SIGNALLED = 1, NOT_STARTED = 2 };

struct trailer {
  byte nonce[NONCE_BYTES];
  u32 ending;
  u32 value; /* exit code, or the signal's number */
  u32 oom_kills;
};
_Static_assert(sizeof(struct trailer) == 28, "the trailer has no gaps");

/* The number behind `oom_kill` in a cgroup's file, or all ones when it cannot be known. */
static u32 read_oom_kills(const char *file)
{
  char text[1024];
  long opened = call(SYS_openat, AT_FDCWD, file, O_RDONLY, 0);
  if (opened < 0) return -1;
  long length = call(SYS_read, opened, text, sizeof text - 1);
  call(SYS_close, opened);
  text[length < 0 ? 0 : length] = 0;
  char *line = text;
  while (*line != 0 && !begins_with(line, "oom_kill ")) {
    while (*line != 0 && *line++ != '\n') continue;
  }
  if (*line == 0) return -1;
  u32 count = 0;
  for (char *digit = line + 9; *digit >= '0' && *digit <= '9'; digit++) count = count * 10 + (*digit - '0');
  return count;
}

/* Passes signals on and reaps until the program has ended; returns its wait status. All signals are blocked, so none is missed. */
static u32 tend(long program)
{
  signal_set every = ~0UL;
  for (;;) {
    long signal = call(SYS_rt_sigtimedwait, &every, 0, 0, sizeof every);
    if (signal != SIGCHLD) {
      if (signal > 0) call(SYS_kill, program, signal);
      continue;
    }
    u32 status, last = 0;
    int has_ended = 0;
    for (;;) {
      long reaped = call(SYS_wait4, -1, &status, WNOHANG, 0);
      if (reaped <= 0) break;
      if (reaped == program) last = status, has_ended = 1;
    }
    if (has_ended) return last;
  }
}

/* Closes both streams with the trailer. Only SIGKILL can come between: a stop must not cost the result. */
static __attribute__((noreturn)) void finish(struct trailer *trailer)
{
  trailer->oom_kills = read_oom_kills("/sys/fs/cgroup/memory/memory.oom_control");
  if (trailer->oom_kills == (u32)-1) trailer->oom_kills = read_oom_kills("/sys/fs/cgroup/memory.events");
  transfer(SYS_write, STDOUT, trailer, sizeof *trailer);
  transfer(SYS_write, STDERR, trailer, sizeof *trailer);
  leave(trailer->ending == SIGNALLED ? 128 + trailer->value : trailer->value);
}

static __attribute__((noreturn)) void run(char **arguments, char **environment, struct trailer *trailer)
{
  /* Shared with the child until it has become the program: the exit code for why it could not. */
  volatile u32 *not_started = allocate(sizeof *not_started, MAP_SHARED);
  set_signal_mask(~0UL);
  on_signals(0);
  call(SYS_prctl, PR_SET_DUMPABLE, 0); /* The program must not read the nonce in its parent's memory. */
  long program = call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (program == 0) {
    call(SYS_setsid); /* As an engine starts it; a signal to its own group stays with it. */
    set_signal_mask(0);
    int error = execute(arguments, environment);
    *not_started = error == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
    leave(explain(arguments[0], error));
  }
  call(SYS_close, STDIN); /* So that whoever writes to a program that reads no more is told. */
  if (program < 0) *not_started = explain(arguments[0], -program);
  u32 status = program < 0 ? 0 : tend(program);
  u32 signal = status & 0x7f;
  trailer->ending = *not_started != 0 ? NOT_STARTED : signal != 0 ? SIGNALLED : EXITED;
  trailer->value = *not_started != 0 ? *not_started : signal != 0 ? signal : status >> 8 & 0xff;
  finish(trailer);
}

/* Entered with the stack as the kernel left it: the number of arguments, the arguments, NULL, the environment, NULL. */
__attribute__((used, noreturn)) void hold(long *stack)
{
  long count = stack[0];
  char **arguments = (char **)(stack + 1);
  char **environment = arguments + count + 1;
  int stays = count >= 3 && same(arguments[1], "run");
  if (!stays && !(count >= 3 && same(arguments[1], "become"))) fail("Usage: hold become|run PROGRAM [ARGUMENT...]");
  on_signals(stop);
  set_signal_mask(0);
  struct frame frame;
  await_frame(&frame);
  environment = merge_environment(environment, &frame);
  if (!stays) become(arguments + 2, environment);
  struct trailer trailer;
  for (int i = 0; i < NONCE_BYTES; i++) trailer.nonce[i] = frame.nonce[i];
  run(arguments + 2, environment, &trailer);
}
