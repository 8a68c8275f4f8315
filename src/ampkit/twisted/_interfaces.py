"""The zope interfaces of AMP: Twisted's own, so that whoever provides them for Twisted provides them here."""

from __future__ import annotations

from ampkit.twisted._stock import stock

IArgumentType = stock.IArgumentType
IBoxSender = stock.IBoxSender
IBoxReceiver = stock.IBoxReceiver
IResponderLocator = stock.IResponderLocator
