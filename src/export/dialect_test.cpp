#include "export/dialect.hpp"

#include <gtest/gtest.h>
