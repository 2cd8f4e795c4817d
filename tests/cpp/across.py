"""What across.cc calls."""

import numpy

import sabir


def same(value):
    return value


def kind(value):
    return type(value).__name__


def minus(a, b):
    return a - b


def sum_of(refs):
    return sum(sabir.get(refs))


def doubled(array):
    return numpy.multiply(array, 2)


def total(array):
    return float(array.sum())


def fail(text):
    raise ValueError(text)


class Own:
    pass


def own_object():
    return Own()


class Counter:
    def __init__(self, start):
        self.value = start

    def add(self, amount):
        self.value += amount
        return self.value
