#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* In C because Swift 6.3 makes the masks of vectors of bytes byte by byte. The compiler turns these into what the
   processor has, wide or narrow. https://clang.llvm.org/docs/LanguageExtensions.html#vectors-and-extended-vectors */
typedef uint8_t porter_block __attribute__((vector_size(64)));
typedef uint64_t porter_block_words __attribute__((vector_size(64)));

/* The first place from there on at which `@` or `/` is followed by the letter (lower case) in either case, or a
   backslash by `u`; the count if there is none. The last byte is followed by nothing. */
static inline size_t porter_find_sign(const uint8_t *bytes, size_t count, size_t from, uint8_t letter) {
  size_t last = count == 0 ? 0 : count - 1;
  while (from < last) {
    size_t end = last;
    if (last - from >= sizeof(porter_block)) {
      porter_block here, next, found;
      end = from + sizeof(porter_block);
      memcpy(&here, bytes + from, sizeof here);
      memcpy(&next, bytes + from + 1, sizeof next);
      found = (porter_block)((((here == '@') | (here == '/')) & ((next | 32) == letter)) |
                             ((here == '\\') & (next == 'u')));
      if (__builtin_reduce_or((porter_block_words)found) == 0) {
        from = end;
        continue;
      }
    }
    for (; from < end; from++) {
      uint8_t here = bytes[from], next = bytes[from + 1];
      if (((here == '@' || here == '/') && (next | 32) == letter) || (here == '\\' && next == 'u')) return from;
    }
  }
  return count;
}
