#include <cstdio>

int main() {
  std::puts("bailey " BAILEY_VERSION);
  return 0;
}
